// Dotted paths: "a.b" is the field named so if there is one, else field b of object a.

/** The value at `path`, or undefined where there is none. Only own properties count. */
export function valueAt(root: Readonly<Record<string, unknown>>, path: string): unknown {
  if (Object.hasOwn(root, path)) return root[path];
  let value: unknown = root;
  for (const name of path.split('.')) {
    if (value === null || typeof value !== 'object' || !Object.hasOwn(value, name)) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}
