// `npm run package`: makes `.data/package/gateway`.
import { join, resolve } from 'node:path';
import { packGateway } from './package.ts';

const into = join(resolve(import.meta.dirname, '../..'), '.data/package/gateway');
await packGateway(into);
console.log(into);
