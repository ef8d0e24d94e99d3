// What the entity cache saves, counted over all subgraphs and supergraphs of a gateway.
import type { Metrics } from '../telemetry/metrics.ts';

export type TypeCounts = {
  readonly subgraph: string;
  readonly type: string;
  hits: number;
  misses: number;
};

export class CacheCounts {
  readonly #types = new Map<string, TypeCounts>();
  /** calls that were not made at all */
  saved = 0;
  /** calls that were made for fewer entities */
  reduced = 0;
  /** calls that were made without a look, because Redis was away or slow */
  passed = 0;

  of(subgraph: string, type: string): TypeCounts {
    const name = JSON.stringify([subgraph, type]);
    let counts = this.#types.get(name);
    if (!counts) {
      counts = { subgraph, type, hits: 0, misses: 0 };
      this.#types.set(name, counts);
    }
    return counts;
  }

  types(): Iterable<TypeCounts> {
    return this.#types.values();
  }

  watch({ watch }: Pick<Metrics, 'watch'>): void {
    watch(
      'counter',
      'entity_cache_entities_total',
      'Entities that were looked for.',
      ['subgraph', 'type', 'outcome'],
      (tell) => {
        for (const { subgraph, type, hits, misses } of this.types()) {
          tell(hits, subgraph, type, 'hit');
          tell(misses, subgraph, type, 'miss');
        }
      },
    );
    watch(
      'counter',
      'entity_cache_calls_total',
      'Calls that were not made, made for fewer entities, or made without a look.',
      ['outcome'],
      (tell) => {
        tell(this.saved, 'saved');
        tell(this.reduced, 'reduced');
        tell(this.passed, 'passed');
      },
    );
  }
}
