/** I9: what an image is built on, and what is built on it; as data and as a Mermaid graph. */
import {
  type CatalogueDependencies,
  catalogueImage,
  catalogueImageAt,
  publishedImages,
} from '../catalogue/images.ts';
import type { Lineage, LineageNode } from '../model/lineage.ts';
import {
  formatReference,
  InvalidReferenceError,
  parseLocation,
  parseReference,
} from '../registry/reference.ts';
import { list } from '../store/list.ts';
import type { Table } from '../store/table.ts';
import { type ImageRecord, imagesByName } from './record.ts';

const ancestorsAtMost = 30;
const childrenAtMost = 200;

/** `host/repository:tag` (or `@digest`) of what a FROM names; undefined for what is no reference. */
export function parentUriOf(from: string | undefined): string | undefined {
  if (from === undefined) return undefined;
  try {
    const { digest, tag, ...rest } = parseLocation(from);
    if (tag === undefined && digest !== undefined) return formatReference({ ...rest, digest });
    return formatReference({ ...rest, tag: tag ?? 'latest' });
  } catch (error) {
    if (error instanceof InvalidReferenceError) return undefined;
    throw error;
  }
}

export async function lineageOf(
  dependencies: CatalogueDependencies & { table: Table },
  organisation: string,
  image: ImageRecord,
): Promise<Lineage> {
  const self = nodeOf(image);
  const ancestors: LineageNode[] = [];
  const seen = new Set([image.uri]);
  for (let uri = image.parentUri; uri !== undefined && ancestors.length < ancestorsAtMost; ) {
    // A tag that was moved onto its own descendant would go round for ever.
    if (seen.has(uri)) break;
    seen.add(uri);
    const found = await imageAt(dependencies, organisation, uri);
    ancestors.push(found ? nodeOf(found) : { uri, deprecated: false });
    uri = found?.parentUri;
  }
  const { children, complete } = await childrenOf(dependencies, organisation, image);
  const [parent] = ancestors;
  return {
    image: self,
    ...(parent ? { parent } : {}),
    ancestors,
    children,
    childrenComplete: complete,
    mermaid: mermaidOf(self, ancestors, children),
  };
}

const nodeOf = ({ id, uri, catalogue }: ImageRecord): LineageNode => ({
  id,
  uri,
  deprecated: catalogue?.deprecated ?? false,
});

/** The organisation's own image at that place comes before the catalogue's. */
async function imageAt(
  { table, ecrRegistry }: { table: Table; ecrRegistry: string },
  organisation: string,
  uri: string,
): Promise<ImageRecord | undefined> {
  const { host, repository, tag } = parseReference(uri);
  if (tag === undefined) return undefined;
  // Names are kept below their registry: each shorter path may be the one.
  const parts = repository.split('/');
  for (let skipped = 0; skipped < parts.length; skipped++) {
    const named = await imagesByName(table, organisation, parts.slice(skipped).join('/'), tag);
    const found = named.find((image) => image.uri === uri && image.registry === host);
    if (found) return found;
  }
  return catalogueImageAt(ecrRegistry, uri);
}

async function childrenOf(
  dependencies: CatalogueDependencies & { table: Table },
  organisation: string,
  image: ImageRecord,
): Promise<{ children: LineageNode[]; complete: boolean }> {
  const uris = [image.uri, ...(image.catalogue?.alsoAt ?? [])];
  const children = (await publishedImages(dependencies, organisation))
    .filter(({ parentUri }) => parentUri === image.uri)
    .map(nodeOf);
  let complete = true;
  for (const parentUri of uris) {
    const page = await list(dependencies.table, {
      organisation,
      collection: 'images',
      limit: childrenAtMost,
      sort: 'createdAt',
      filters: { parentUri },
      columns: {},
      searched: [],
    });
    children.push(...(page.items as ImageRecord[]).map(nodeOf));
    if (page.nextCursor !== undefined) complete = false;
  }
  return { children: children.filter(({ id }) => id !== image.id), complete };
}

/** Ancestors above, children below. Names of images have no character that ends a quoted label. */
function mermaidOf(self: LineageNode, ancestors: LineageNode[], children: LineageNode[]): string {
  const chain = [...ancestors].reverse();
  const nodes = [...chain, self, ...children];
  const own = chain.length;
  const lines = nodes.map(({ uri }, i) => `  n${i}["${uri.replaceAll('"', '#quot;')}"]`);
  for (let i = 1; i <= own; i++) lines.push(`  n${i - 1} --> n${i}`);
  for (let i = own + 1; i < nodes.length; i++) lines.push(`  n${own} --> n${i}`);
  const deprecated = nodes.flatMap((node, i) => (node.deprecated ? [`n${i}`] : []));
  return [
    'flowchart TD',
    ...lines,
    '  classDef asked stroke-width:3px',
    `  class n${own} asked`,
    ...(deprecated.length > 0
      ? ['  classDef deprecated stroke-dasharray:5 5', `  class ${deprecated.join(',')} deprecated`]
      : []),
    '',
  ].join('\n');
}

/** Any image by its id: the organisation's, or the catalogue's where it is published. */
export async function catalogueImageById(
  dependencies: CatalogueDependencies,
  organisation: string,
  id: string,
): Promise<ImageRecord | undefined> {
  const known = catalogueImage(dependencies.ecrRegistry, id);
  if (known?.catalogue?.family !== 'slipway') return known;
  return (await publishedImages(dependencies, organisation)).find((image) => image.id === id);
}
