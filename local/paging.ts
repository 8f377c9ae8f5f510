/** Pages of lists that are read by their place: tokens name the list and where the next page begins. */

export interface PageRequest {
  /** What is listed, with every filter: a token of another list is none of this one. */
  list: string;
  limit: number;
  token: string | undefined;
  /** What the service says of a token that isn't one. */
  invalidToken(): Error;
}

/** The items of the page, and the next page's token unless this is the last. */
export function pageOf<T>(all: readonly T[], request: PageRequest): { items: T[]; nextToken?: string } {
  const { list, limit, token, invalidToken } = request;
  const [named, place = '0'] =
    token === undefined ? [list] : Buffer.from(token, 'base64url').toString().split('\n');
  if (named !== list || !/^\d{1,9}$/.test(place)) throw invalidToken();
  const end = Number(place) + limit;
  return {
    items: all.slice(Number(place), end),
    ...(end < all.length && { nextToken: Buffer.from(`${list}\n${end}`).toString('base64url') }),
  };
}
