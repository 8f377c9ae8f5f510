import type { RegistryAccess } from '../../registry/access.ts';
import type { CopyTag } from '../attached.ts';
import type { StartDependencies } from '../start.ts';

/** What accepting builds, mirrors and validations works with. */
export interface AcceptDependencies extends StartDependencies {
  access: RegistryAccess;
  copyTag: CopyTag;
}
