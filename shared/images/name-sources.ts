import { catalogueImage, isCatalogueId } from '../catalogue/images.ts';
import { defaultRegistryIds } from '../registry/defaults.ts';
import type { NameSources } from '../registry/resolve.ts';
import type { RegistryStore } from '../store/registries.ts';
import { getSettings } from '../store/settings.ts';
import type { Table } from '../store/table.ts';
import { findImage, imagesByName } from './record.ts';

/** What `resolveImageName` asks, answered from the organisation's own records (E3). */
export function nameSources(table: Table, registries: RegistryStore, organisation: string): NameSources {
  // A launch asks for both settings: one read answers them.
  let read: ReturnType<typeof getSettings> | undefined;
  const settings = async () => {
    read ??= getSettings(table, organisation);
    return (await read).settings;
  };
  return {
    async imageById(id) {
      if (!isCatalogueId(id)) return findImage(table, organisation, id);
      const slipway = await registries.get(organisation, defaultRegistryIds.slipway);
      return catalogueImage(slipway?.host ?? '', id);
    },
    imagesByName: (repository, tag) => imagesByName(table, organisation, repository, tag),
    async defaultRegistry() {
      const { defaultRegistryId } = await settings();
      return defaultRegistryId === undefined ? undefined : registries.get(organisation, defaultRegistryId);
    },
    async defaultImage() {
      return (await settings()).defaultImage;
    },
  };
}
