/** What the groups of operations are about. */
export const tags: Record<string, string> = {
  Builds: 'Builds, mirrors and validations: their state, log and timeline',
  Dockerfiles: 'Dockerfiles before they are built',
  Experiments: 'Commands that run in images',
  Images: 'Images, how they come to be and what is known of them',
  Members: 'People of the organisation',
  Organisation: 'Settings and computes',
  Registries: 'Where images are pulled from and pushed to',
  Secrets: 'Secrets that builds may use',
  Service: 'The API itself',
  Tokens: 'Bearer tokens for scripts',
  Uploads: 'Files for builds',
};
