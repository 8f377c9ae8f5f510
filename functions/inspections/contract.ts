import * as z from 'zod';
import { documented } from '../../shared/http/documented.ts';
import { operation } from '../../shared/http/operation.ts';
import { findingsQuery, findingsSchema } from '../../shared/model/findings.ts';
import { idSchema } from '../../shared/model/id.ts';
import { inspectionSchema, inspectQuery, inspectReferenceSchema } from '../../shared/model/inspection.ts';

const tag = 'Images';
const answer = { 200: { description: 'The image as its registry has it', schema: inspectionSchema } };

export const inspectImage = operation({
  id: 'inspectImage',
  method: 'GET',
  path: '/v1/images/{id}/inspect',
  documentation: documented(() => ({
    tag,
    summary: 'Inspect an image in its registry',
    description:
      'Returns manifests, layers and configuration for one platform. Slipway inspects the digest of the image or, for an image of the catalogue, the digest that its tag names now. An image without a digest gets 409 `image-not-ready`. Refusals of the registry get 422 with their own codes, such as `image-no-platform` or `registry-rate-limited`.',
    responses: answer,
  })),
  role: 'viewer',
  params: z.object({ id: idSchema('image') }),
  query: inspectQuery,
  problems: [404, 409],
});

export const inspectReference = operation({
  id: 'inspectReference',
  method: 'POST',
  path: '/v1/images/inspect',
  documentation: documented(() => ({
    tag,
    summary: 'Inspect any image by its URL',
    description:
      'The image need not be listed in Slipway. If it is in a registry of the organisation, Slipway uses the stored credentials.',
    example: { url: 'quay.io/podman/hello:latest', platform: 'linux/arm64' },
    responses: answer,
  })),
  role: 'viewer',
  body: inspectReferenceSchema,
});

const onlyOwn =
  "The image must be in the deployment's own registry. Others get 409 `image-elsewhere`: mirror them there.";

export const listFindings = operation({
  id: 'listFindings',
  method: 'GET',
  path: '/v1/images/{id}/findings',
  documentation: documented(() => ({
    tag,
    summary: 'List the known vulnerabilities of an image',
    description: `Returns the findings of the last scan, the most severe first. ${onlyOwn}`,
    responses: { 200: { description: 'The findings, or the status of the scan', schema: findingsSchema } },
  })),
  role: 'viewer',
  params: z.object({ id: idSchema('image') }),
  query: findingsQuery,
  problems: [404, 409],
});

export const scanImage = operation({
  id: 'scanImage',
  method: 'POST',
  path: '/v1/images/{id}/findings',
  documentation: documented(() => ({
    tag,
    summary: 'Scan an image for known vulnerabilities',
    description: `ECR scans an image at most once in 24 hours; until then the answer is 409 \`recently-scanned\`. If the AWS account scans all images automatically, it is 409 \`scanned-continuously\`. ${onlyOwn}`,
    responses: {
      202: { description: 'The scan has started', schema: findingsSchema, headers: ['Location'] },
    },
  })),
  role: 'editor',
  params: z.object({ id: idSchema('image') }),
  problems: [404, 409],
});
