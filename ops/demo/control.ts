// The control API of a simulator, by which a demo makes the outside world misbehave.
import type { Simulator } from './running-stack.ts';

/** @returns a call of the control API: POST with a body, GET without. It throws for any answer but a good one. */
export const controlOf =
  (who: string, { url, controlToken }: Simulator) =>
  async (path: string, body?: object): Promise<unknown> => {
    const response = await fetch(`${url}/control/${path}`, {
      signal: AbortSignal.timeout(5_000),
      method: body ? 'POST' : 'GET',
      headers: {
        authorization: `Bearer ${controlToken}`,
        ...(body && { 'content-type': 'application/json' }),
      },
      body: body && JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`The ${who} answered ${response.status} to ${path}.`);
    return response.json();
  };
