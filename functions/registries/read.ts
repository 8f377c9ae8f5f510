import type * as z from 'zod';
import { notFound } from '../../shared/http/problem.ts';
import type { Registry, registryListQuery } from '../../shared/model/registry.ts';
import { type KnownRegistry, registryFor } from '../../shared/store/registries.ts';
import { smallPage } from '../../shared/store/small-list.ts';
import { credentialWarnings } from './credential-rules.ts';
import type { RegistriesDependencies } from './dependencies.ts';

/** A registry of `all` as it is answered, with what is worth knowing about its credentials (R8). */
export function withWarnings(
  { registry, host, path }: Pick<KnownRegistry, 'registry' | 'host' | 'path'>,
  all: KnownRegistry[],
  own: Pick<RegistriesDependencies, 'ecrRegistry'>,
): Registry {
  const warnings = credentialWarnings({ host, username: registry.username }, own);
  const same = all.filter(
    (one) =>
      one.host === host && one.path === path && !one.registry.isDefault && one.registry.id !== registry.id,
  );
  if (same.length > 0 && !registry.isDefault) {
    const counting = registryFor(all, host, `${path}/any`)?.registry.id;
    const others = same.map((one) => one.registry.id).join(', ');
    warnings.push(
      `${registry.url} is also connected as ${others}. Slipway uses the credentials of ${counting} there. Delete the registries that you don't need, or connect a path below it for another account.`,
    );
  }
  return warnings.length > 0 ? { ...registry, warnings } : registry;
}

/** R2, R4: defaults and connected ones. */
export async function listRegistries(
  { registries, ecrRegistry }: Pick<RegistriesDependencies, 'registries' | 'ecrRegistry'>,
  organisation: string,
  { type, visibility, ...page }: z.output<typeof registryListQuery>,
): Promise<{ items: Registry[]; nextCursor?: string }> {
  const all = await registries.all(organisation);
  const shown = all.map((one) => withWarnings(one, all, { ecrRegistry }));
  return smallPage(shown, {
    ...page,
    organisation,
    collection: 'registries',
    filters: { type, visibility },
    searched: ['title', 'url'],
  });
}

/** Throws a 404 problem. */
export async function getRegistry(
  { registries }: Pick<RegistriesDependencies, 'registries'>,
  organisation: string,
  id: string,
): Promise<KnownRegistry> {
  const known = await registries.get(organisation, id);
  if (!known) throw notFound('registry');
  return known;
}
