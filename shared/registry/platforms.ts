/** Platforms as people write them: `os/arch[/variant]`. */
import type { Platform } from './model.ts';

const defaultPlatform: Platform = { os: 'linux', architecture: 'amd64' };

export const formatPlatform = ({ os, architecture, variant }: Platform): string =>
  `${os}/${architecture}${variant ? `/${variant}` : ''}`;

/** Undefined for what is no platform. */
export function parsePlatform(text: string): Platform | undefined {
  const match = /^([a-z0-9]+)\/([a-z0-9_]+)(?:\/([a-z0-9.]+))?$/.exec(text);
  if (!match?.[1] || !match[2]) return undefined;
  return { os: match[1], architecture: match[2], ...(match[3] ? { variant: match[3] } : {}) };
}

/** `arm64` and `arm64/v8` are the same; otherwise a variant matters only where it is asked for. */
export function isPlatform(offered: Platform, wanted: Platform): boolean {
  const variant = ({ architecture, variant }: Platform) =>
    variant ?? (architecture === 'arm64' ? 'v8' : undefined);
  return (
    offered.os === wanted.os &&
    offered.architecture === wanted.architecture &&
    (wanted.variant === undefined || variant(offered) === variant(wanted))
  );
}

/** The one that `wanted` names; where nothing is asked for, linux/amd64 or else the first. */
export function choosePlatform<T extends { platform: Platform }>(
  offered: T[],
  wanted: Platform | undefined,
): T | undefined {
  if (wanted) return offered.find((one) => isPlatform(one.platform, wanted));
  return offered.find((one) => isPlatform(one.platform, defaultPlatform)) ?? offered[0];
}
