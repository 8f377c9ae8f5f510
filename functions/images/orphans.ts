/** R3: images whose registry was deleted by force. They stay, and may be found at their place by everybody or by nobody. */
import type { Image } from '../../shared/model/image.ts';
import { parseReference } from '../../shared/registry/reference.ts';
import { type RegistryStore, registryFor } from '../../shared/store/registries.ts';

/** The same images, with a warning on each whose registry isn't connected any more, nor another one for its place. */
export async function withWarnings(
  registries: Pick<RegistryStore, 'all'>,
  organisation: string,
  images: Image[],
): Promise<Image[]> {
  if (images.every(({ registryId }) => registryId === undefined)) return images;
  const all = await registries.all(organisation);
  const known = new Set(all.map(({ registry }) => registry.id));
  return images.map((image) => {
    if (image.registryId === undefined || known.has(image.registryId)) return image;
    const { repository } = parseReference(image.uri);
    const other = registryFor(all, image.registry, repository)?.registry;
    if (other && !other.isDefault) return image;
    const warning = `Registry ${image.registryId} and its credentials were deleted. Connect ${image.registry} again (POST /v1/registries) if the image needs them.`;
    return { ...image, warnings: [warning] };
  });
}
