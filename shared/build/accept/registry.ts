/** The registry that an image goes to: private (R5), and connected for as long as the image is written (R3). */
import { conflict, invalid, ProblemError } from '../../http/problem.ts';
import { defaultRegistryIds } from '../../registry/defaults.ts';
import { formatRegistryUrl, type RegistryUrl } from '../../registry/url.ts';
import { type KnownRegistry, stillConnected } from '../../store/registries.ts';
import { countImage } from '../../store/registry-images.ts';
import { getSettings } from '../../store/settings.ts';
import type { Write } from '../../store/table.ts';
import type { AcceptDependencies } from './dependencies.ts';

type Dependencies = Pick<AcceptDependencies, 'table' | 'registries'>;

/** What a new image of `registry`, as it was read, writes beside itself. Throws 409 `registry-not-connected`. */
export async function joinRegistry(
  dependencies: Dependencies,
  organisation: string,
  registry: KnownRegistry,
): Promise<Write[]> {
  const { id } = registry.registry;
  return [
    ...(await whileConnected(dependencies, organisation, id, registry)),
    ...countImage(dependencies.table, organisation, id, 1),
  ];
}

/**
 * Has a transaction refused where the registry was disconnected since, or isn't `at` that place any more, which the
 * image's name has in it; nothing for the defaults, which stay. Throws 409 `registry-not-connected`.
 */
export async function whileConnected(
  { table, registries }: Dependencies,
  organisation: string,
  registryId: string,
  at?: RegistryUrl,
): Promise<Write[]> {
  const known = await registries.get(organisation, registryId);
  if (!known || known.removing) throw notConnected(`The registry ${registryId}`);
  if (known.registry.isDefault) return [];
  if (at && (known.host !== at.host || known.path !== at.path))
    throw notConnected(`The registry ${registryId} at ${formatRegistryUrl(at)}`);
  return [stillConnected(table, organisation, registryId, at)];
}

export const notConnected = (registry: string) =>
  conflict('registry-not-connected', `${registry} is not connected. Connect it first.`);

/** The registry that was asked for, else the organisation's default, else its own space. Throws 422. */
export async function registryOrDefault(
  { table, registries }: Dependencies,
  organisation: string,
  asked: string | undefined,
): Promise<KnownRegistry> {
  const id =
    asked ??
    (await getSettings(table, organisation)).settings.defaultRegistryId ??
    defaultRegistryIds.private;
  const known = await registries.get(organisation, id);
  if (!known)
    throw invalid({ pointer: '/registryId', message: `names the registry ${id}, which does not exist` });
  return known;
}

/** The same, for what is pushed there. */
export async function pushable(
  dependencies: Dependencies,
  organisation: string,
  asked: string | undefined,
): Promise<KnownRegistry> {
  const known = await registryOrDefault(dependencies, organisation, asked);
  // R5
  if (known.registry.visibility === 'public') {
    const message = `must name a private registry: ${known.registry.title} is public, so images can be pulled from it but not pushed to it`;
    throw new ProblemError(422, 'registry-is-public', `${message}.`, {
      errors: [{ pointer: '/registryId', message }],
    });
  }
  return known;
}
