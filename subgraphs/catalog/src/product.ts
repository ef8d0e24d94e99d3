import type { Viewer } from '@orderstream/runtime/viewer';

export type Product = {
  readonly tenantId: string;
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly description: string;
  readonly categoryId: string;
};

/** The shop window is open to everybody who stands before it, and to nobody who stands before another shop's. */
export const mayRead = (viewer: Viewer, shown: { readonly tenantId: string }): boolean =>
  viewer.tenantId === shown.tenantId;

/** What cannot be a slug need not be looked up. */
export const isSlug = (text: string): boolean => text.length <= 200 && /^[a-z0-9]+(-[a-z0-9]+)*$/.test(text);
