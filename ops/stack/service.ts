import type { Child } from './child.ts';
import type { PortBook } from './ports.ts';

export type ServiceName = 'postgres' | 'redis' | 'kafka';

export type Service = {
  readonly name: ServiceName;
  /** Came with npm or Maven, found on the system, or somebody else's by URL. */
  readonly kind: 'embedded' | 'system' | 'url';
  readonly where: string;
  /** Where its data stands; null when it is not ours. */
  readonly folder: string | null;
  readonly pid: number | null;
  readonly tookMs: number;
};

export type Progress = { readonly service: ServiceName; readonly text: string };

/** What each of the three is given to start with. */
export type Start = {
  readonly dir: string;
  readonly env: NodeJS.ProcessEnv;
  readonly ports: PortBook;
  /** False for tests: nothing has to survive a power cut. */
  readonly durable: boolean;
  readonly report: (text: string) => void;
  readonly signal: AbortSignal;
};

export type Started = Pick<Service, 'kind' | 'where' | 'folder'> & {
  /** The URL, or the broker's host and port. */
  readonly address: string;
  readonly child: Child | null;
};
