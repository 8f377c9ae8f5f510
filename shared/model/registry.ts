/** Registries (R1–R9): where images are pulled from and pushed to. Credentials are no part of the record. */
import * as z from 'zod';
import { isOneLine } from '../text/one-line.ts';
import { acrossFields } from './across-fields.ts';
import { lineOfText, listQuery, sortBy, timestamp } from './common.ts';
import { idSchema } from './id.ts';

export const registryTypes = [
  'slipway',
  'dockerhub',
  'ecr',
  'gcr',
  'acr',
  'nvidia',
  'quay',
  'other',
] as const;
export type RegistryType = (typeof registryTypes)[number];
const registryTypeSchema = z.enum(registryTypes).meta({ id: 'RegistryType' });

export const visibilities = ['public', 'private'] as const;

const title = lineOfText(150);
const url = z
  .string()
  .trim()
  .min(1)
  .max(400)
  .meta({ description: 'A host, optionally with a scheme and a path.', example: 'quay.io/my-team' });
/** Both go to the registry as one text, parted by the first colon. */
const username = z
  .string()
  .min(1)
  .max(255)
  .refine((text) => !/[\p{Cc}:]/u.test(text), 'must not contain a colon or control characters')
  .refine(isOneLine, 'must not contain characters that are invisible or change the direction of text')
  .meta({ description: 'Must not contain a colon or control characters.' });
/** Secrets Manager takes 65,536 bytes, and keeps both as JSON. */
const passwordBytes = 64_000;
const password = z
  .string()
  .min(1)
  .max(32_768)
  .refine(
    (text) => Buffer.byteLength(JSON.stringify(text)) <= passwordBytes,
    `must have at most ${passwordBytes} bytes`,
  )
  .meta({
    description: 'Slipway stores it in Secrets Manager and never returns it. At most 64,000 bytes as JSON.',
    format: 'password',
  });
const visibility = z
  .enum(visibilities)
  .meta({ id: 'Visibility', description: 'Slipway only pulls from public registries.' });

export const registrySchema = z.lazy(() =>
  z
    .object({
      id: idSchema('registry'),
      title: z.string(),
      url: z.string().meta({
        description: 'Host and path. Begins with `http://` if the registry does not use HTTPS.',
        example: 'quay.io',
      }),
      type: registryTypeSchema,
      visibility,
      username: z.string().optional(),
      hasCredentials: z.boolean(),
      warnings: z.array(z.string()).optional().meta({ description: 'Warnings about the credentials.' }),
      isDefault: z.boolean().meta({
        description: 'Whether Slipway provides the registry. It can then be neither changed nor deleted.',
      }),
      createdAt: timestamp,
      createdBy: z.string(),
      updatedAt: timestamp,
    })
    .meta({ id: 'Registry' }),
);
export type Registry = z.infer<typeof registrySchema>;

/** Names that stand for a kind of credential. */
const passwordsOf: Record<string, string> = {
  $oauthtoken: 'an NGC API key',
  AWS: 'an ECR token',
  _json_key: 'the key file of a Google service account',
};

/** What is said where a username comes without its password. */
export function passwordWanted(username: string | null | undefined): string {
  const kind = passwordsOf[username ?? ''];
  return `is required with \`username\`${kind ? `: for ${username}, give ${kind}` : ''}`;
}

const together = acrossFields(
  (value: { username?: string | null | undefined; password?: string | null | undefined }, add) => {
    const [has, lacks] = value.username
      ? (['username', 'password'] as const)
      : (['password', 'username'] as const);
    if (value[has] && !value[lacks])
      add([lacks], has === 'username' ? passwordWanted(value.username) : 'is required with `password`');
  },
);

export const newRegistrySchema = z.lazy(() =>
  z
    .strictObject({
      title,
      url,
      type: registryTypeSchema,
      visibility: visibility.default('private'),
      username: username.optional(),
      password: password.optional(),
      check: z
        .boolean()
        .default(false)
        .meta({ description: 'Tests the credentials first, and refuses the registry if they do not work.' }),
    })
    .check(together)
    .meta({ id: 'NewRegistry' }),
);
export type NewRegistry = z.output<typeof newRegistrySchema>;

/** A missing or null field is left alone; `type` is fixed for good. */
export const registryChangeSchema = z.lazy(() =>
  z
    .strictObject({
      title: title.nullish(),
      url: url.nullish(),
      visibility: visibility.nullish(),
      username: username.nullish(),
      password: password.nullish(),
    })
    .meta({ id: 'RegistryChange' }),
);
export type RegistryChange = z.output<typeof registryChangeSchema>;

const registrySort = sortBy('RegistrySort', ['createdAt', 'title', 'url', 'type']);
export const registryListQuery = z.lazy(() =>
  z.strictObject({
    ...listQuery(registrySort),
    type: registryTypeSchema.optional(),
    visibility: visibility.optional(),
    q: z.string().max(200).optional().meta({ description: 'A substring of the title or URL.' }),
  }),
);

/** Why a registry can't be used, told apart (R9). */
export const checkCauses = [
  'dns',
  'tls',
  'unreachable',
  'refused-address',
  'not-a-registry',
  'bad-credentials',
  'no-pull',
  'no-push',
  'rate-limited',
] as const;
export type CheckCause = (typeof checkCauses)[number];

export const registryCheckSchema = z.lazy(() =>
  z
    .strictObject({
      repository: z.string().min(1).max(255).optional().meta({
        description:
          'Also checks whether the credentials may pull from this repository and, in a private registry, push to it.',
      }),
    })
    .meta({ id: 'RegistryCheck' }),
);

export const registryCheckResultSchema = z.lazy(() =>
  z
    .object({
      ok: z.boolean(),
      cause: z.enum(checkCauses).meta({ id: 'RegistryCheckCause' }).optional(),
      message: z.string(),
      retryAfterSeconds: z
        .int()
        .optional()
        .meta({ description: 'How many seconds to wait, if the registry is rate-limited and says so.' }),
      warnings: z.array(z.string()),
      checkedAt: timestamp,
    })
    .meta({ id: 'RegistryCheckResult' }),
);
export type RegistryCheckResult = z.infer<typeof registryCheckResultSchema>;
