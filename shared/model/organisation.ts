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
      .meta({ description: 'Where an image name without a registry is looked for' }),
    defaultImage: z.string().min(1).max(255).optional().meta({ example: 'python:3.13' }),
    installDependencies: z
      .boolean()
      .default(true)
      .meta({ description: 'Install what the bootstrap needs and an image lacks. No effect yet' }),
    launchGate: launchGateSchema.default('off').meta({
      description:
        'Refuse to run images with known vulnerabilities of this severity or a worse one, and images that were not scanned',
    }),
    notifications: z
      .strictObject({
        preference: notificationPreferenceSchema.default('always'),
        recipients: z
          .array(z.email())
          .max(most)
          .default([])
          .meta({ description: 'Mailed besides the author of a build' }),
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
        description: 'Builds at once; jobs are limited by the vCPUs of the environments behind their queues',
      }),
      queues: z.array(z.string()).meta({ description: 'Tried in order' }),
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
        .refine(isOneLine, 'holds a character that cannot be seen')
        .optional()
        .meta({
          description:
            "The person's `sub` at the identity provider. Needed where the deployment has its own; refused where Slipway's user pool invites them.",
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
    q: z.string().max(200).optional().meta({ description: 'Substring of the email address' }),
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
    role: roleSchema.meta({ description: "Never above the member's own, whatever it says here" }),
    madeBy: idSchema('token').optional().meta({
      description: 'The token that made it, and with which it is revoked; absent for one that a sign-in made',
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
      role: roleSchema.optional().meta({ description: 'Your own unless it should do less' }),
      expiresInDays: z.int().min(1).max(3650).optional().meta({
        description:
          'Never expires if left out, unless the token that asks does: then with that one, and never after it',
      }),
    })
    .meta({ id: 'NewToken' }),
);

export const createdTokenSchema = tokenSchema
  .extend({ token: z.string().meta({ description: 'The bearer token; shown only this once' }) })
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
      kind: z.enum(['context']).meta({ id: 'UploadKind', description: '`context`: files of a build' }),
      sizeBytes: z.int().min(1).max(uploadLimitBytes),
      sha256: z.string().regex(/^[0-9a-f]{64}$/, '64 lower-case hex digits'),
    })
    .meta({ id: 'NewUpload' }),
);

export const uploadSchema = z.lazy(() =>
  z
    .object({
      id: idSchema('upload'),
      url: z.string().meta({ description: 'For one PUT of exactly these bytes' }),
      headers: z
        .record(z.string(), z.string())
        .meta({ id: 'UploadHeaders', description: 'To be sent with it, all of them' }),
      expiresAt: timestamp,
    })
    .meta({ id: 'Upload' }),
);

export const secretName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_.-]{0,62}$/, 'a letter, then letters, digits, `_`, `.` or `-`; at most 63')
  // Secrets Manager appends a hyphen and six characters to every ARN and can't tell such a name from it.
  .regex(/^(?!.*-[A-Za-z0-9]{6}$)/, 'may not end in a hyphen and six characters')
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
        .refine((value) => Buffer.byteLength(value) <= 32_768, 'at most 32 KiB')
        .refine(
          (value) => Buffer.byteLength(JSON.stringify({ value })) <= storedSecretLimitBytes,
          'at most 64 KiB as JSON, in which control characters take six bytes each',
        )
        .meta({ description: 'Kept in Secrets Manager; never returned', format: 'password' }),
    })
    .meta({ id: 'SecretValue' }),
);

const secretSort = sortBy('SecretSort', ['createdAt', 'name']);
export const secretListQuery = z.lazy(() => z.strictObject(listQuery(secretSort)));
