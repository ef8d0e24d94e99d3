// Which keys the fetches of a plan will put to the objects at each place. A parser gives its objects those keys from the
// beginning: objects that grow one by one get a form each, and everything that reads them gets slow.
import type { ObjectShape } from '../parse/shape.ts';
import { stampKey, textKey } from '../parse/values.ts';
import type { Path } from '../plan/query-plan.ts';
import { below, placeOf } from './stubs.ts';

export class LaterKeys {
  readonly #byPlace = new Map<string, Set<string>>();

  /** `stubs`: places whose objects carry marks */
  constructor(stubs: ReadonlySet<string>) {
    for (const place of stubs) this.#byPlace.set(place, new Set([stampKey, textKey]));
  }

  /** Objects of this shape are put to what stands at the end of the path. Fetches are told last to first. */
  add(path: Path, shape: ObjectShape): void {
    this.#add(placeOf(path), shape);
  }

  #add(place: string, shape: ObjectShape): void {
    const keys = this.#byPlace.get(place) ?? new Set();
    this.#byPlace.set(place, keys);
    for (const [key, field] of shape.fields) {
      keys.add(key);
      if (field.shape === 'object') this.#add(below(place, key), field);
    }
  }

  /** For each object of a shape whose own objects stand at the ends of the paths. */
  of(paths: readonly (readonly [Path, ObjectShape])[]): Map<ObjectShape, ReadonlySet<string>> {
    const found = new Map<ObjectShape, Set<string>>();
    const visit = (place: string, here: ObjectShape): void => {
      const keys = this.#byPlace.get(place);
      if (keys) found.set(here, new Set([...(found.get(here) ?? []), ...keys]));
      for (const [key, field] of here.fields) if (field.shape === 'object') visit(below(place, key), field);
    };
    for (const [path, shape] of paths) visit(placeOf(path), shape);
    return found;
  }
}
