import * as z from 'zod';

/** How the name that was asked for became an image (E3). */
export const imageRules = [
  'image-id',
  'repository-tag',
  'default-registry',
  'docker-hub',
  'full-url',
  'organisation-default',
  'platform-default',
  'build',
] as const;
export const imageRuleSchema = z.enum(imageRules).meta({ id: 'ImageRule' });
export type ImageRule = (typeof imageRules)[number];
