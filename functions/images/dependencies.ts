import type { CopyTag } from '../../shared/build/attached.ts';
import type { StartDependencies } from '../../shared/build/start.ts';
import type { RegistryAccess } from '../../shared/registry/access.ts';

/** What the use cases of this function work with. */
export interface ImagesDependencies extends StartDependencies {
  access: RegistryAccess;
  copyTag: CopyTag;
}

/** Who asks, and when. */
export interface Asking {
  organisation: string;
  email: string;
  now: Date;
}
