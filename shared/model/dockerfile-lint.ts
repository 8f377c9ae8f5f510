/** What is said about a Dockerfile before it is built (B11), and what a generated one is made from (B10). */
import * as z from 'zod';

/** Stable: what may be said. */
export const lintCodes = [
  'unknown-instruction',
  'from-missing',
  'from-without-tag',
  'from-latest',
  'from-unset-argument',
  'stage-name-case',
  'engines-differ',
  'add-remote',
  'secret-name',
  'secret-value',
  'apt-as-user',
  'notebook-user-root',
  'notebook-pip-user',
  'build-arg-unknown',
  'secret-not-mounted',
] as const;
export type LintCode = (typeof lintCodes)[number];

export const lintWarningSchema = z.lazy(() =>
  z
    .object({
      code: z
        .enum(lintCodes)
        .meta({ id: 'LintCode', description: 'A stable code that clients can branch on.' }),
      line: z.int().meta({ description: 'Line number, counted from 1.' }),
      message: z.string(),
      remedy: z.string(),
    })
    .meta({ id: 'LintWarning' }),
);
export interface LintWarning {
  code: LintCode;
  line: number;
  message: string;
  remedy: string;
}

/** More would hide the ones that matter, and the record of a build has an end. */
export const lintLimit = 50;

/** `name`, `name:architecture`, `name=version`: nothing that means something to a shell. */
const debianPackage = /^[a-z0-9][a-z0-9+.-]+(?::[a-z0-9-]+)?(?:=[A-Za-z0-9.+~:-]+)?$/;

/** Name or number, with a group's if any. */
export const userPattern =
  /^(?:[a-z_][a-z0-9_-]{0,31}|[0-9]{1,10})(?::(?:[a-z_][a-z0-9_-]{0,31}|[0-9]{1,10}))?$/;

/** What a Dockerfile is generated from. */
export const recipeSchema = z.lazy(() =>
  z
    .strictObject({
      base: z.string().trim().min(1).max(512).meta({
        description: 'The name of the base image. Slipway resolves it as `POST /v1/images/resolve` does.',
        example: 'python:3.13-slim',
      }),
      requirements: z
        .string()
        .max(32_768)
        .refine((text) => !text.includes('\0'), 'must not contain a NUL character')
        .optional()
        .meta({ description: 'The text of a `requirements.txt`.', example: 'numpy==2.1.0\npandas\n' }),
      apt: z
        .array(
          z
            .string()
            .max(200)
            .regex(debianPackage, 'must be the name of a Debian package, optionally with `=version`'),
        )
        .max(200)
        .optional()
        .meta({ description: 'Debian packages to install.', example: ['git', 'libgomp1'] }),
      user: z
        .string()
        .regex(userPattern, 'must be the name or number of a user, optionally with `:group`')
        .optional()
        .meta({
          description: 'The user that runs the image. Default: the user of the base image.',
          example: 'jovyan',
        }),
      workdir: z
        .string()
        .max(255)
        .regex(/^\/[A-Za-z0-9._/-]*$/, 'must be an absolute path of letters, digits, `.`, `_` and `-`')
        .optional(),
    })
    .meta({ id: 'DockerfileRecipe' }),
);
export type RecipeRequest = z.output<typeof recipeSchema>;
