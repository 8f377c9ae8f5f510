/** Puts images of a few instructions on a tiny base into registries. */
import { publish } from '../../../scripts/base-image/publish.ts';
import { tinyImage } from '../../../scripts/base-image/tiny.ts';
import { run } from '../../../scripts/command.ts';
import { ensureEngine } from '../../../scripts/engine.ts';
import { createRegistryClient } from '../../../shared/registry/client.ts';
import { copyLayers } from '../../../shared/registry/copy-layers.ts';
import type { RegistryClient } from '../../../shared/registry/model.ts';
import type { Network } from '../../../shared/registry/network.ts';
import type { CloudWithEndpoint } from '../../local/cloud-with-endpoint.ts';

export interface Images {
  /** Into the organisation's ECR; answers its reference. */
  publish(repository: string, instructions?: string[]): Promise<string>;
  /** The same into another registry, where everybody may push; answers the digest. */
  publishTo(host: string, repository: string, instructions?: string[]): Promise<string>;
}

export async function imagesIn(
  cloud: CloudWithEndpoint,
  organisation: string,
  network: Network,
  ownEcr: () => Promise<RegistryClient>,
): Promise<Images> {
  const engine = await ensureEngine({ yes: true });
  const { accountId, registryHost, endpointUrl, region } = cloud;
  const keys = cloud.client().credentials;
  const target = { accountId, registryHost, endpointUrl, region, ...keys, apiUrl: '', token: '', pid: 0 };
  const images: Images = {
    async publish(repository, instructions = []) {
      const base = await tinyImage(engine, () => undefined);
      // Other test files have images of this name, and use the engine at the same time.
      const image = `slipway-test/${repository}:${process.pid}`;
      await run(engine.cli, ['build', '-q', '-t', image, '-'], {
        input: [`FROM ${base} AS base`, ...instructions].join('\n'),
        env: { DOCKER_BUILDKIT: '1' },
      });
      const published = { cloud: target, repository: `${organisation}/${repository}`, tag: '1' };
      const reference = await publish(engine, image, published, () => undefined);
      await run(engine.cli, ['rmi', image]);
      return reference;
    },
    async publishTo(host, repository, instructions) {
      await images.publish(repository, instructions);
      const own = `${organisation}/${repository}`;
      const from = await ownEcr();
      const to = createRegistryClient({ host, network });
      const manifest = await from.getManifest(own, '1');
      const limits = {
        limitBytes: 1e9,
        remainingMs: () => 1e9,
        reserveMs: 0,
        cancelled: async () => false,
      };
      const source = { client: from, repository: own, manifest };
      await copyLayers(source, { client: to, repository }, limits, true);
      return to.putManifest(repository, '1', manifest.mediaType, manifest.body);
    },
  };
  return images;
}
