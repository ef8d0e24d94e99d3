export type Category = {
  readonly tenantId: string;
  readonly id: string;
  /** null for a department; a shelf's parent is a department */
  readonly parentId: string | null;
  readonly slug: string;
  readonly name: string;
};

/** Departments by name, each followed by its shelves by name. */
export const inShopOrder = (categories: readonly Category[]): Category[] => {
  const byName = (a: Category, b: Category): number => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
  const shelves = Map.groupBy(categories, (category) => category.parentId);
  const departments = [...(shelves.get(null) ?? [])].sort(byName);
  return departments.flatMap((department) => [
    department,
    ...[...(shelves.get(department.id) ?? [])].sort(byName),
  ]);
};
