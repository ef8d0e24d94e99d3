// Which keys the fetches of a plan will put to the objects at each place. A parser gives its objects those keys from the
// beginning: objects that grow one by one get a form each, and everything that reads them gets slow.
import type { ObjectShape } from '../parse/shape.ts';
import type { Path } from '../plan/query-plan.ts';

const placeOf = (path: Path): string =>
  path.flatMap((one) => (one.step === 'key' ? [one.key] : [])).join('.');

export class LaterKeys {
  readonly #byPlace = new Map<string, Set<string>>();

  /** Objects of this shape are put to what stands at the end of the path. Fetches are told last to first. */
  add(path: Path, shape: ObjectShape): void {
    this.#add(placeOf(path), shape);
  }

  #add(place: string, shape: ObjectShape): void {
    const keys = this.#byPlace.get(place) ?? new Set();
    this.#byPlace.set(place, keys);
    for (const [key, field] of shape.fields) {
      keys.add(key);
      if (field.shape === 'object') this.#add(`${place}${place && '.'}${key}`, field);
    }
  }

  /** For each object of a shape whose own objects stand at the end of the path. */
  of(path: Path, shape: ObjectShape): Map<ObjectShape, ReadonlySet<string>> {
    const found = new Map<ObjectShape, ReadonlySet<string>>();
    const visit = (place: string, here: ObjectShape): void => {
      const keys = this.#byPlace.get(place);
      if (keys) found.set(here, keys);
      for (const [key, field] of here.fields)
        if (field.shape === 'object') visit(`${place}${place && '.'}${key}`, field);
    };
    visit(placeOf(path), shape);
    return found;
  }
}
