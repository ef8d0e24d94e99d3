import type { Job, Platform } from '@orderstream/runtime/subgraph';
import { forgetOld } from './store.ts';

export const createJobs = ({ database }: Pick<Platform, 'database'>): Job[] => [
  {
    name: 'forget old notifications',
    everyMs: 10 * 60_000,
    run: async () => ((await forgetOld(database)) ? 1 : 0),
  },
];
