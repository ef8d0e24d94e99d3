// Everything that is made from schemas: Prisma clients, resolver types, typed operations. Run by `npm ci`.
import { generate } from '@graphql-codegen/cli';
import config from '../codegen.ts';
import { generatePrisma } from './generate-prisma.ts';

process.chdir(new URL('..', import.meta.url).pathname);

await Promise.all([generatePrisma(), generate({ ...config, cwd: process.cwd() }, true)]);
