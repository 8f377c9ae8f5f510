/** Kubeflow's notebook images (I9): which there are, and which is built on which. */

export interface KubeflowImage {
  name: string;
  /** Name of the image below it; the first lies on Ubuntu. */
  parent?: string;
  ide?: 'jupyterlab' | 'code-server' | 'rstudio';
  accelerator?: 'cuda' | 'gaudi';
  deprecated?: true;
}

export const kubeflowTag = 'v1.10.0';
export const kubeflowBase = 'docker.io/library/ubuntu:22.04';
const dockerHubSpace = 'kubeflownotebookswg';
const githubSpace = 'ghcr.io/kubeflow/kubeflow/notebook-servers';

const jupyter = { ide: 'jupyterlab' } as const;
const kinds: Omit<KubeflowImage, 'parent'>[] = [
  { name: 'jupyter-scipy', ...jupyter },
  { name: 'jupyter-pytorch', ...jupyter },
  { name: 'jupyter-tensorflow', ...jupyter },
  { name: 'jupyter-pytorch-cuda', ...jupyter, accelerator: 'cuda' },
  { name: 'jupyter-tensorflow-cuda', ...jupyter, accelerator: 'cuda' },
  { name: 'jupyter-pytorch-gaudi', ...jupyter, accelerator: 'gaudi', deprecated: true },
];

export const kubeflowImages: readonly KubeflowImage[] = [
  { name: 'base' },
  { name: 'jupyter', parent: 'base', ...jupyter },
  { name: 'codeserver', parent: 'base', ide: 'code-server' },
  { name: 'rstudio', parent: 'base', ide: 'rstudio' },
  { name: 'codeserver-python', parent: 'codeserver', ide: 'code-server' },
  { name: 'rstudio-tidyverse', parent: 'rstudio', ide: 'rstudio' },
  ...kinds.map((one) => ({ ...one, parent: 'jupyter' })),
  ...kinds.slice(1).map((one) => ({ ...one, name: `${one.name}-full`, parent: one.name })),
];

/** Path below Docker Hub. */
export const kubeflowRepository = (name: string) => `${dockerHubSpace}/${name}`;
/** Where the same image also is. */
export const kubeflowOnGithub = (name: string) => `${githubSpace}/${name}:${kubeflowTag}`;

const anywhere = new RegExp(`^(?:(?:docker\\.io/)?${dockerHubSpace}|${githubSpace})/[a-z-]+(?:[:@]|$)`);

/** Whether a reference, as people write it, is one of these in whatever version. They all run as `jovyan`. */
export const isCatalogueReference = (reference: string): boolean => anywhere.test(reference);
