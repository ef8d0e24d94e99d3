import type { Trace } from '@orderstream/runtime/trace';
import type { Viewer } from '@orderstream/runtime/viewer';

/** On whose behalf something is asked. */
export type Asking = { readonly viewer: Viewer; readonly trace: Trace };
