/** Platforms as people write them: `os/arch[/variant]`. */
import { platformName } from '../model/platform.ts';
import type { Platform } from './model.ts';

const defaultPlatform: Platform = { os: 'linux', architecture: 'amd64' };

export const formatPlatform = ({ os, architecture, variant }: Platform): string =>
  `${os}/${architecture}${variant ? `/${variant}` : ''}`;

/** Undefined for what is no platform. */
export function parsePlatform(text: string): Platform | undefined {
  if (!platformName.safeParse(text).success) return undefined;
  const [os = '', architecture = '', variant] = text.split('/');
  return { os, architecture, ...(variant ? { variant } : {}) };
}

/** What machines call themselves (`uname -m`, Debian), and what images call them. */
const aliases: Record<string, Pick<Platform, 'architecture' | 'variant'>> = {
  x86_64: { architecture: 'amd64' },
  i386: { architecture: '386' },
  aarch64: { architecture: 'arm64' },
  armhf: { architecture: 'arm', variant: 'v7' },
  armel: { architecture: 'arm', variant: 'v6' },
};
/** The variant that is meant where none is named, as container engines have it. */
const usualVariants: Record<string, string> = { amd64: 'v1', arm64: 'v8', arm: 'v7' };

const canonical = (platform: Platform): Platform => ({ ...platform, ...aliases[platform.architecture] });
const variantOf = ({ architecture, variant }: Platform) => variant ?? usualVariants[architecture];

/** `arm64` and `arm64/v8` are the same; otherwise a variant matters only where it is asked for. */
export function isPlatform(offered: Platform, wanted: Platform): boolean {
  const [has, wants] = [canonical(offered), canonical(wanted)];
  return (
    has.os === wants.os &&
    has.architecture === wants.architecture &&
    (wants.variant === undefined || variantOf(has) === variantOf(wants))
  );
}

/**
 * The one that `wanted` names, of several variants the usual one; where nothing is asked for, linux/amd64 or else the
 * first.
 */
export function choosePlatform<T extends { platform: Platform }>(
  offered: T[],
  wanted: Platform | undefined,
): T | undefined {
  const fitting = offered.filter(({ platform }) => isPlatform(platform, wanted ?? defaultPlatform));
  const usual = variantOf(canonical(wanted ?? defaultPlatform));
  const chosen = fitting.find(({ platform }) => variantOf(canonical(platform)) === usual) ?? fitting[0];
  return chosen ?? (wanted ? undefined : offered[0]);
}
