import type * as z from 'zod';
import { notFound } from '../../shared/http/problem.ts';
import type { Registry, registryListQuery } from '../../shared/model/registry.ts';
import type { KnownRegistry } from '../../shared/store/registries.ts';
import { smallPage } from '../../shared/store/small-list.ts';
import { credentialWarnings } from './credential-rules.ts';
import type { RegistriesDependencies } from './dependencies.ts';

/** A registry as it is answered, with what is worth knowing about its credentials (R8). */
export function withWarnings(
  { registry, host }: Pick<KnownRegistry, 'registry' | 'host'>,
  own: Pick<RegistriesDependencies, 'ecrRegistry'>,
): Registry {
  const warnings = credentialWarnings({ host, username: registry.username }, own);
  return warnings.length > 0 ? { ...registry, warnings } : registry;
}

/** R2, R4: defaults and connected ones. */
export async function listRegistries(
  { registries, ecrRegistry }: Pick<RegistriesDependencies, 'registries' | 'ecrRegistry'>,
  organisation: string,
  { type, visibility, ...page }: z.output<typeof registryListQuery>,
): Promise<{ items: Registry[]; nextCursor?: string }> {
  const all = (await registries.all(organisation)).map((one) => withWarnings(one, { ecrRegistry }));
  return smallPage(all, {
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
