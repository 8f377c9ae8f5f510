import type * as z from 'zod';
import { notFound } from '../../shared/http/problem.ts';
import type { Registry, registryListQuery } from '../../shared/model/registry.ts';
import type { KnownRegistry } from '../../shared/store/registries.ts';
import { smallPage } from '../../shared/store/small-list.ts';
import type { RegistriesDependencies } from './dependencies.ts';

/** R2, R4: defaults and connected ones. */
export async function listRegistries(
  { registries }: Pick<RegistriesDependencies, 'registries'>,
  organisation: string,
  { type, visibility, ...page }: z.output<typeof registryListQuery>,
): Promise<{ items: Registry[]; nextCursor?: string }> {
  const all = (await registries.all(organisation)).map((one) => one.registry);
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
