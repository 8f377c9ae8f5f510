/** Platforms as people and registries write them: `os/arch[/variant]`. */
import * as z from 'zod';

/** Of an operating system, an architecture, a variant, or a version of one. */
export const platformPartAtMost = 64;
export const platformPart = /^[a-z0-9_][a-z0-9_.-]*$/;

const part = platformPart.source.slice(1, -1);
const platformPattern = new RegExp(`^${part}/${part}(?:/${part})?$`);

export const platformName = z
  .string()
  .max(3 * platformPartAtMost + 2)
  .regex(platformPattern, 'must be os/arch or os/arch/variant')
  .meta({ example: 'linux/arm64' });
