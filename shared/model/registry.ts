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
  .meta({ description: 'Host with or without scheme and path', example: 'quay.io/my-team' });
/** Both go to the registry as one text, parted by the first colon. */
const username = z
  .string()
  .min(1)
  .max(255)
  .refine((text) => !/[\p{Cc}:]/u.test(text), 'holds a colon or a control character, which no username can')
  .refine(isOneLine, 'holds a character that is invisible or changes the direction of text')
  .meta({ description: 'Without colons and control characters' });
/** Secrets Manager takes 65,536 bytes, and keeps both as JSON. */
const passwordBytes = 64_000;
const password = z
  .string()
  .min(1)
  .max(32_768)
  .refine(
    (text) => Buffer.byteLength(JSON.stringify(text)) <= passwordBytes,
    `is to have at most ${passwordBytes} bytes`,
  )
  .meta({
    description: 'Kept in Secrets Manager; never returned. At most 64,000 bytes, written as JSON',
    format: 'password',
  });
const visibility = z
  .enum(visibilities)
  .meta({ id: 'Visibility', description: 'Public registries are pull-only' });

export const registrySchema = z.lazy(() =>
  z
    .object({
      id: idSchema('registry'),
      title: z.string(),
      url: z.string().meta({
        description: 'Host and path; with `http://` in front where it is not HTTPS',
        example: 'quay.io',
      }),
      type: registryTypeSchema,
      visibility,
      username: z.string().optional(),
      hasCredentials: z.boolean(),
      warnings: z
        .array(z.string())
        .optional()
        .meta({ description: 'What is worth knowing about the credentials; absent where there is nothing' }),
      isDefault: z.boolean().meta({ description: 'Came with Slipway: can be neither changed nor deleted' }),
      createdAt: timestamp,
      createdBy: z.string(),
      updatedAt: timestamp,
    })
    .meta({ id: 'Registry' }),
);
export type Registry = z.infer<typeof registrySchema>;

/** Names that stand for a kind of credential. */
const passwordsOf: Record<string, string> = {
  $oauthtoken: 'an API key of NGC',
  AWS: 'a token of ECR',
  _json_key: 'the key file of a Google service account',
};

/** What is said where a username comes without its password. */
export function passwordWanted(username: string | null | undefined): string {
  const kind = passwordsOf[username ?? ''];
  return `is needed together with username${kind ? `: for ${username} it is ${kind}` : ''}`;
}

const together = acrossFields(
  (value: { username?: string | null | undefined; password?: string | null | undefined }, add) => {
    const [has, lacks] = value.username
      ? (['username', 'password'] as const)
      : (['password', 'username'] as const);
    if (value[has] && !value[lacks])
      add([lacks], has === 'username' ? passwordWanted(value.username) : 'is needed together with password');
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
        .meta({ description: 'Try the credentials first and refuse the registry when they do not work' }),
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
    q: z.string().max(200).optional().meta({ description: 'Substring of title or url' }),
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
          'Also ask for the right to pull from, and for a private registry push to, this repository',
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
      retryAfterSeconds: z.int().optional().meta({ description: 'When rate-limited' }),
      warnings: z.array(z.string()),
      checkedAt: timestamp,
    })
    .meta({ id: 'RegistryCheckResult' }),
);
export type RegistryCheckResult = z.infer<typeof registryCheckResultSchema>;
