import type { Metrics } from '../telemetry/metrics.ts';
import type { Shedding } from './shedding.ts';

export const watchShedding = ({ state }: Shedding, watch: Metrics['watch']): void => {
  watch('gauge', 'requests_in_flight', 'Requests under way.', [], (tell) => tell(state().inFlight));
  watch('gauge', 'requests_capacity', 'Requests that may be under way at present.', [], (tell) =>
    tell(state().capacity),
  );
  watch(
    'counter',
    'requests_shed_total',
    'Requests sent away when there was too much to do.',
    ['class'],
    (tell) => {
      for (const [name, count] of state().refused) tell(count, name);
    },
  );
};
