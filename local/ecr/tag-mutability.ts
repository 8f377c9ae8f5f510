/** Whether a repository lets a tag be moved to another image. */

export const mutabilities = [
  'MUTABLE',
  'IMMUTABLE',
  'IMMUTABLE_WITH_EXCLUSION',
  'MUTABLE_WITH_EXCLUSION',
] as const;

export interface TagMutability {
  setting: (typeof mutabilities)[number];
  /** Wildcard patterns (`*`) of the tags to which the opposite of the setting applies; at most 5. */
  exclusions: string[];
}

/** True if `tag` may be moved. */
export function isMovable(mutability: TagMutability, tag: string): boolean {
  const excluded = mutability.exclusions.some((filter) => matches(filter, tag));
  switch (mutability.setting) {
    case 'MUTABLE':
      return true;
    case 'IMMUTABLE':
      return false;
    case 'IMMUTABLE_WITH_EXCLUSION':
      return excluded;
    case 'MUTABLE_WITH_EXCLUSION':
      return !excluded;
  }
}

function matches(filter: string, tag: string): boolean {
  const pattern = filter.split('*').map((part) => part.replace(/[.\\+?^$()[\]{}|/-]/g, '\\$&'));
  return new RegExp(`^${pattern.join('.*')}$`).test(tag);
}
