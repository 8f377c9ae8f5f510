/** Registries that every organisation starts with (R4): computed, never stored, so nobody can change or lose them. */
import type { Registry } from '../model/registry.ts';
import { dockerHub } from './reference.ts';

/** Below it lie the images that the deployment itself publishes; no organisation can have this name's space. */
export const slipwayNamespace = 'slipway';

export const defaultRegistryIds = {
  dockerHub: 'reg_dockerhub',
  nvidia: 'reg_nvidia',
  slipway: 'reg_slipway',
  private: 'reg_private',
} as const;

/** Older than anything stored, in this order. */
const since = '1970-01-01T00:00:00.000Z';

/** `ecrRegistry` is the host of the deployment's own ECR. */
export function defaultRegistries(organisation: string, ecrRegistry: string): Registry[] {
  const common = {
    hasCredentials: false,
    isDefault: true,
    createdAt: since,
    createdBy: 'slipway',
    updatedAt: since,
  };
  return [
    {
      id: defaultRegistryIds.private,
      title: 'Private images of this organisation',
      url: `${ecrRegistry}/${organisation}`,
      type: 'slipway',
      visibility: 'private',
      ...common,
    },
    {
      id: defaultRegistryIds.slipway,
      title: 'Slipway default images',
      url: `${ecrRegistry}/${slipwayNamespace}`,
      type: 'slipway',
      visibility: 'public',
      ...common,
    },
    {
      id: defaultRegistryIds.dockerHub,
      title: 'Docker Hub',
      url: dockerHub,
      type: 'dockerhub',
      visibility: 'public',
      ...common,
    },
    {
      id: defaultRegistryIds.nvidia,
      title: 'NVIDIA NGC',
      url: 'nvcr.io',
      type: 'nvidia',
      visibility: 'public',
      ...common,
    },
  ];
}
