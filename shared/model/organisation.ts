/** What belongs to the organisation itself: settings, members, tokens, computes, uploads, secrets (O1–O6, B16, E13). */
import * as z from 'zod';
import { isOneLine } from '../text/one-line.ts';
import { lineOfText, listQuery, roleSchema, sortBy, timestamp } from './common.ts';
import { launchGateSchema } from './findings.ts';
import { idSchema } from './id.ts';

export const notificationPreferences = ['always', 'errors', 'never'] as const;

const notificationPreferenceSchema = z.enum(notificationPreferences).meta({ id: 'NotificationPreference' });

/** SES takes 50 addresses of a mail, and the author of the build is one of them. Once, 50 could be kept here. */
const [mostRecipients, mostKept] = [49, 50];

const settingsWith = (most: number) =>
  z.strictObject({
    defaultRegistryId: idSchema('registry')
      .optional()
      .meta({ description: 'The registry where Slipway looks for an image name without a registry.' }),
    defaultImage: z.string().min(1).max(255).optional().meta({ example: 'python:3.13' }),
    installDependencies: z.boolean().default(true).meta({
      description: 'Installs what the bootstrap needs and an image lacks. Has no effect yet.',
    }),
    launchGate: launchGateSchema.default('off').meta({
      description:
        'Refuses to run images that have known vulnerabilities of this severity or above, or were not scanned.',
    }),
    notifications: z
      .strictObject({
        preference: notificationPreferenceSchema.default('always'),
        recipients: z
          .array(z.email())
          .max(most)
          .default([])
          .meta({ description: 'Addresses that get the emails besides the author of the build.' }),
      })
      .meta({ id: 'NewNotifications', outputId: 'Notifications' })
      .prefault({}),
  });

/** `PUT` replaces all of it; what is left out returns to its default. */
export const settingsSchema = z.lazy(() =>
  settingsWith(mostRecipients).meta({ id: 'NewSettings', outputId: 'Settings' }),
);
/** `PATCH` changes what it names; null returns to the default. */
export const settingsChangeSchema = z.lazy(() => {
  const { notifications, ...others } = settingsWith(mostRecipients).shape;
  return z
    .strictObject({
      ...changesOf(others),
      notifications: z
        .strictObject(changesOf(notifications.unwrap().shape))
        .meta({ id: 'NotificationsChange' })
        .nullable()
        .optional(),
    })
    .meta({ id: 'SettingsChange' });
});
export type SettingsChange = z.output<typeof settingsChangeSchema>;

type Field = z.ZodOptional | z.ZodDefault;
type Change<F extends Field> = z.ZodOptional<z.ZodNullable<ReturnType<F['unwrap']>>>;

/** Every field without its default, which is not what is meant where it is left out. */
const changesOf = <S extends Record<string, Field>>(shape: S) =>
  Object.fromEntries(
    Object.entries(shape).map(([name, field]) => [name, (field.unwrap() as z.ZodType).nullable().optional()]),
  ) as { [K in keyof S]: Change<S[K]> };

/** What `PUT` may have written at any time. */
export const keptSettingsSchema = z.lazy(() => settingsWith(mostKept));
export type Settings = z.output<typeof settingsSchema>;

export const computeUseSchema = z.enum(['build', 'run']).meta({ id: 'ComputeUse' });

export const computeSchema = z.lazy(() =>
  z
    .object({
      name: z.string(),
      use: computeUseSchema,
      vcpus: z.number(),
      memoryMiB: z.int(),
      gpus: z.int(),
      gpuType: z.string().optional(),
      pricePerHourUsd: z.number(),
      maxConcurrent: z.int().optional().meta({
        description:
          'The maximum number of concurrent builds. Jobs are limited by the vCPUs of the environments of their queues.',
      }),
      queues: z
        .array(z.string())
        .meta({ description: 'The job queues, in the order in which Slipway tries them.' }),
    })
    .meta({ id: 'Compute' }),
);

export const memberSchema = z.lazy(() =>
  z
    .object({
      id: idSchema('member'),
      email: z.string(),
      role: roleSchema,
      createdAt: timestamp,
      createdBy: z.string(),
      updatedAt: timestamp,
      warnings: z
        .array(z.string())
        .optional()
        .meta({ description: 'In the answer to an invitation: why its mail was not sent' }),
    })
    .meta({ id: 'Member' }),
);
export type Member = z.infer<typeof memberSchema>;

export const newMemberSchema = z.lazy(() =>
  z
    .strictObject({
      email: z.email().max(254),
      role: roleSchema,
      subject: z
        .string()
        .min(1)
        .max(255)
        .refine(isOneLine, 'must not contain invisible characters')
        .optional()
        .meta({
          description:
            "The person's `sub` at the identity provider. Required if the deployment uses its own identity provider. Must be omitted if it uses Slipway's user pool.",
        }),
    })
    .meta({ id: 'NewMember' }),
);

export const memberChangeSchema = z.lazy(() =>
  z.strictObject({ role: roleSchema }).meta({ id: 'MemberChange' }),
);

const memberSort = sortBy('MemberSort', ['createdAt', 'email', 'role']);
export const memberListQuery = z.lazy(() =>
  z.strictObject({
    ...listQuery(memberSort),
    role: roleSchema.optional(),
    q: z.string().max(200).optional().meta({ description: 'A substring of the email address.' }),
  }),
);

export const meSchema = z.lazy(() =>
  z
    .object({
      memberId: z.string(),
      email: z.string(),
      role: roleSchema,
      organisation: z.object({ id: z.string(), title: z.string() }).meta({ id: 'Organisation' }),
    })
    .meta({ id: 'Me' }),
);

export const tokenSchema = z
  .object({
    id: idSchema('token'),
    title: z.string(),
    memberId: idSchema('member'),
    email: z.string(),
    role: roleSchema.meta({ description: "The role of the token. The member's own role limits it." }),
    madeBy: idSchema('token').optional().meta({
      description:
        'The token that created this one. Revoking it revokes this one too. Absent if the member signed in to create it.',
    }),
    createdAt: timestamp,
    expiresAt: timestamp.optional(),
  })
  .meta({ id: 'Token' });
export type Token = z.infer<typeof tokenSchema>;

export const newTokenSchema = z.lazy(() =>
  z
    .strictObject({
      title: lineOfText(150),
      role: roleSchema.optional().meta({ description: 'Default: your own role. Must not be above it.' }),
      expiresInDays: z.int().min(1).max(3650).optional().meta({
        description:
          'Default: the token never expires. A token that another token creates expires with that token at the latest.',
      }),
    })
    .meta({ id: 'NewToken' }),
);

export const createdTokenSchema = tokenSchema
  .extend({ token: z.string().meta({ description: 'The bearer token. Slipway returns it only once.' }) })
  .meta({ id: 'CreatedToken' });

const tokenSort = sortBy('TokenSort', ['createdAt', 'title']);
export const tokenListQuery = z.lazy(() =>
  z.strictObject({
    ...listQuery(tokenSort),
    memberId: idSchema('member').optional(),
  }),
);

export const uploadLimitBytes = 1024 ** 3;

export const newUploadSchema = z.lazy(() =>
  z
    .strictObject({
      kind: z
        .enum(['context'])
        .meta({ id: 'UploadKind', description: '`context`: the build context of a Dockerfile.' }),
      sizeBytes: z.int().min(1).max(uploadLimitBytes),
      sha256: z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 lowercase hex digits'),
    })
    .meta({ id: 'NewUpload' }),
);

export const uploadSchema = z.lazy(() =>
  z
    .object({
      id: idSchema('upload'),
      url: z.string().meta({ description: 'Send the file to this URL in one PUT request.' }),
      headers: z
        .record(z.string(), z.string())
        .meta({ id: 'UploadHeaders', description: 'Headers that the PUT request must have.' }),
      expiresAt: timestamp,
    })
    .meta({ id: 'Upload' }),
);

export const secretName = z
  .string()
  .regex(
    /^[A-Za-z][A-Za-z0-9_.-]{0,62}$/,
    'must be at most 63 letters, digits, `_`, `.` and `-`, and must begin with a letter',
  )
  // Secrets Manager appends a hyphen and six characters to every ARN and can't tell such a name from it.
  .regex(/^(?!.*-[A-Za-z0-9]{6}$)/, 'must not end in a hyphen and six letters or digits')
  .meta({ example: 'pypi-token' });

export const secretSchema = z.lazy(() =>
  z
    .object({ name: secretName, createdAt: timestamp, updatedAt: timestamp, updatedBy: z.string() })
    .meta({ id: 'Secret' }),
);
export type Secret = z.infer<typeof secretSchema>;

/** Of Secrets Manager, for what it keeps: `{"value": …}`. */
const storedSecretLimitBytes = 65_536;

export const secretValueSchema = z.lazy(() =>
  z
    .strictObject({
      value: z
        .string()
        .min(1)
        .refine((value) => Buffer.byteLength(value) <= 32_768, 'must be at most 32 KiB')
        .refine(
          (value) => Buffer.byteLength(JSON.stringify({ value })) <= storedSecretLimitBytes,
          'must be at most 64 KiB as JSON, where each control character takes six bytes',
        )
        .meta({
          description: 'Slipway stores it in Secrets Manager and never returns it.',
          format: 'password',
        }),
    })
    .meta({ id: 'SecretValue' }),
);

const secretSort = sortBy('SecretSort', ['createdAt', 'name']);
export const secretListQuery = z.lazy(() => z.strictObject(listQuery(secretSort)));
