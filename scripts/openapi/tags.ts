/** What the groups of operations are about. */
export const tags: Record<string, string> = {
  Builds: 'Builds, mirrors and validations: their state, log and timeline',
  Dockerfiles: 'Linting and generating Dockerfiles',
  Experiments: 'Commands that run in images',
  Images: 'Images, where they come from and what they contain',
  Members: 'People of the organisation',
  Organisation: 'Settings and computes',
  Registries: 'Registries that images are pulled from and pushed to',
  Secrets: 'Secrets that builds may use',
  Service: 'The API itself',
  Tokens: 'Bearer tokens for scripts',
  Uploads: 'Files for builds',
};
