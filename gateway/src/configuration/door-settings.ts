// What a request has to pass: who asks, how much, what was agreed on, and how often.
import { z } from 'zod';
import type { AuthMode } from '../auth/authority.ts';
import type { IdentitySettings, IssuerSettings } from '../auth/identity.ts';
import { defaultLimits, type Limits } from '../limits/limit.ts';
import type { RateRule } from '../rate/rates.ts';
import type { SheddingSettings } from '../shed/shedding.ts';
import {
  count,
  countOrNone,
  flag,
  headerName,
  isEachOnce,
  part,
  section,
  share,
  size,
  text,
  time,
  webAddress,
} from './values.ts';

// Only algorithms with a public and a private key: a published key must never serve as a shared secret.
const algorithm = z.enum(
  ['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519', 'PS256', 'PS384', 'PS512', 'RS256', 'RS384', 'RS512'],
  { error: 'needs an algorithm with a public key, such as ES256, EdDSA or RS256' },
);

const issuer = part({
  issuer: text,
  keys: part({ url: webAddress.optional(), file: text.optional() }).refine(
    ({ url, file }) => (url === undefined) !== (file === undefined),
    { error: 'needs a url or a file, and not both' },
  ),
  audiences: z.array(text, { error: 'needs a list' }).min(1, { error: 'needs at least one audience' }),
  algorithms: z
    .array(algorithm, { error: 'needs a list' })
    .min(1, { error: 'needs at least one algorithm' })
    .default(['ES256', 'EdDSA', 'RS256']),
  clockTolerance: time.default(30_000),
  maxAge: time.optional(),
  scopes: text.default('scope'),
  policies: text.default('policies'),
}).transform(
  ({ keys, clockTolerance, maxAge, scopes, policies, ...rest }): IssuerSettings => ({
    ...rest,
    keys: keys.url === undefined ? { file: keys.file! } : { url: keys.url },
    clockToleranceSeconds: clockTolerance / 1_000,
    maxAgeSeconds: maxAge === undefined ? null : maxAge / 1_000,
    scopesClaim: scopes,
    policiesClaim: policies,
  }),
);

export type AuthSettings = IdentitySettings & { readonly mode: AuthMode; readonly header: string };

export const auth = section({
  mode: z.enum(['filter', 'refuse'], { error: 'needs filter or refuse' }).default('filter'),
  header: headerName.default('authorization'),
  scheme: z.string({ error: 'needs text' }).default('Bearer'),
  issuers: z
    .array(issuer, { error: 'needs a list of issuers' })
    .default([])
    .refine((all) => new Set(all.map((one) => one.issuer)).size === all.length, {
      error: 'has an issuer twice',
    }),
}).transform((settings): AuthSettings => settings);

export const limits = section({
  tokens: count.default(defaultLimits.tokens),
  depth: count.default(defaultLimits.depth),
  aliases: countOrNone.default(defaultLimits.aliases),
  rootFields: count.default(defaultLimits.rootFields),
  rootMutations: count.default(defaultLimits.rootMutations),
  selections: count.default(defaultLimits.selections),
  repeats: count.default(defaultLimits.repeats),
  alone: z.array(text, { error: 'needs a list of mutations' }).default([]),
  body: size.default(defaultLimits.body),
  variables: size.default(defaultLimits.variables),
  variableDepth: count.default(defaultLimits.variableDepth),
  listSize: count.default(defaultLimits.listSize),
  assumedListSize: count.default(defaultLimits.assumedListSize),
  sizeArguments: z
    .array(text, { error: 'needs a list of arguments' })
    .default([...defaultLimits.sizeArguments]),
  cost: section({
    anonymous: count.default(defaultLimits.cost.anonymous),
    signedIn: count.default(defaultLimits.cost.signedIn),
  }),
  /** for a whole request, planning and subgraphs included */
  deadline: time.default(10_000),
  planning: time.default(1_000),
}).transform(
  ({
    deadline,
    planning,
    ...rest
  }): Limits & { readonly deadlineMs: number; readonly planningMs: number } => ({
    ...rest,
    deadlineMs: deadline,
    planningMs: planning,
  }),
);

export type PartnerSettings = {
  readonly id: string;
  readonly name: string;
  readonly keyPrefix: string;
  readonly keyHash: string;
  readonly manifestFile: string;
  readonly scopes: readonly string[];
  readonly perMinute: number;
  readonly perDay: number;
  readonly costPerMinute: number | null;
};

const partner = part({
  id: text.regex(/^[\w-]+$/, { error: 'needs letters, digits, - and _ only' }),
  name: text.optional(),
  key: part({
    prefix: text.regex(/^[^.\s]{4,100}$/, {
      error: 'needs what stands before the first dot of the key, 4 characters or more',
    }),
    sha256: text.regex(/^[0-9a-f]{64}$/, { error: 'needs the SHA-256 of the key as 64 hexadecimal digits' }),
  }),
  manifest: text,
  scopes: z.array(text, { error: 'needs a list' }).default([]),
  perMinute: count.default(600),
  perDay: count.default(100_000),
  costPerMinute: count.optional(),
}).transform(
  ({ key, manifest, name, costPerMinute, ...rest }): PartnerSettings => ({
    ...rest,
    name: name ?? rest.id,
    keyPrefix: key.prefix,
    keyHash: key.sha256,
    manifestFile: manifest,
    costPerMinute: costPerMinute ?? null,
  }),
);

export const persisted = section({
  /** files with the operations of our own front ends */
  manifests: z.array(text, { error: 'needs a list of files' }).default([]),
  /** whether nothing else is answered */
  required: flag.default(false),
  automatic: section({
    enabled: flag.default(true),
    keep: time.default(86_400_000),
    memory: size.default(16_777_216),
  }),
  keyHeader: headerName.default('x-api-key'),
  partners: z
    .array(partner, { error: 'needs a list of partners' })
    .default([])
    .refine((all) => isEachOnce(all, ({ id }) => id), { error: 'has an id twice' })
    .refine((all) => isEachOnce(all, ({ keyPrefix }) => keyPrefix), { error: 'has keys that begin alike' }),
}).refine(({ required, manifests }) => !required || manifests.length > 0, {
  error: 'required without manifests would refuse everything',
});

export type PersistedSettings = z.infer<typeof persisted>;

export const rates = section({
  rules: z
    .array(
      part({
        by: z.enum(['user', 'partner', 'address'], { error: 'needs user, partner or address' }),
        counts: z.enum(['requests', 'cost'], { error: 'needs requests or cost' }).default('requests'),
        limit: count,
        window: time.refine((value) => value >= 1_000, { error: 'needs a second at least' }),
      }).transform(({ window, ...rest }): RateRule => ({ ...rest, windowMs: window })),
      { error: 'needs a list of rules' },
    )
    .default([]),
  /** of each limit, while Redis does not answer */
  localShare: share.refine((value) => value > 0, { error: 'needs more than 0' }).default(0.25),
});

export const shedding = section({
  enabled: flag.default(true),
  /** requests under way at a time: above half of it the first class is refused, above it everybody */
  inFlight: count.default(1_000),
  /** by which the event loop may be late; a gateway that is later than that for two seconds lets fewer in */
  loopDelay: time.default(200),
  /** in the order in which they are given up */
  classes: z
    .array(part({ name: text, fields: z.array(text, { error: 'needs a list of fields' }).default([]) }), {
      error: 'needs a list of classes',
    })
    .default([])
    .refine((all) => isEachOnce(all, ({ name }) => name), { error: 'has a class twice' })
    .refine(
      (all) =>
        isEachOnce(
          all.flatMap(({ fields }) => fields),
          (field) => field,
        ),
      { error: 'has a field twice' },
    )
    .refine((all) => all.length === 0 || all.filter(({ fields }) => fields.length === 0).length === 1, {
      error: 'needs one class without fields, for all the rest',
    }),
}).transform(({ loopDelay, ...rest }): SheddingSettings => ({ ...rest, loopDelayMs: loopDelay }));
