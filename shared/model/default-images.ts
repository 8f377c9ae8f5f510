/** Images that a deployment publishes into its own ECR (`npm run publish-images`): one for each folder of `examples/images`. */

export interface DefaultImage {
  /** Folder, and repository below `slipway/`. */
  name: string;
  /** Moves with what the image promises, not with every build. */
  tag: string;
  /** What it is built on unless the operator chooses another. */
  base: string;
}

export const defaultImages: readonly DefaultImage[] = [
  { name: 'python', tag: '1', base: 'public.ecr.aws/docker/library/python:3.13-slim' },
];
