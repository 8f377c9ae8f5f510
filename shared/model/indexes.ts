/** Indexes of the table, and the attribute each sorts by beside the table's own partition key: one per sortable column. */
export const indexes = {
  byStatus: 'statusKey',
  byRepository: 'repositoryKey',
  byTag: 'tagKey',
  byRegistry: 'registryKey',
  byAuthor: 'authorKey',
  byProject: 'projectKey',
  byImage: 'imageKey',
} as const;
export type IndexName = keyof typeof indexes;
