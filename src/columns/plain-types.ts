// Arrow types as they are written: dictionaries and views, which few readers know, become their values, at any depth.
import {
  Binary,
  BinaryView,
  type Data,
  DataType,
  type Dictionary,
  type Field,
  FixedSizeList,
  LargeList,
  List,
  Map_,
  makeData,
  Struct,
  Utf8,
  Vector,
  vectorFromArray,
} from 'apache-arrow';
import { EmbedkitError } from '../errors.js';

/** The type that a column has once written. Throws `input-unreadable` for unions, which are not carried through. */
export function plainType(type: DataType): DataType {
  if (DataType.isDictionary(type)) return plainType((type as Dictionary).dictionary);
  if (DataType.isUtf8View(type)) return new Utf8();
  if (DataType.isBinaryView(type)) return new Binary();
  if (DataType.isUnion(type)) throw notCarried(type);
  return withChildren(
    type,
    (type.children ?? []).map((field) => field.clone({ type: plainType(field.type) })),
  );
}

function withChildren(type: DataType, fields: readonly Field[]): DataType {
  const [field] = fields as [Field];
  if (DataType.isList(type)) return new List(field);
  if (DataType.isLargeList(type)) return new LargeList(field);
  if (DataType.isFixedSizeList(type)) return new FixedSizeList(type.listSize, field);
  if (DataType.isMap(type)) return new Map_(field as Field<Struct>, type.keysSorted);
  return DataType.isStruct(type) ? new Struct([...fields]) : type;
}

function notCarried(type: DataType): EmbedkitError {
  return new EmbedkitError('input-unreadable', `a kept column of type ${type} cannot be carried through`, {
    hint: 'leave it out of --keep',
  });
}

/** `part` itself; of a dictionary or a view its values, one after the other, in one or more arrays. */
export function plainParts(part: Data): readonly Data[] {
  if (DataType.isDictionary(part.type)) return lookUp(part, part.type).flatMap(plainParts);
  if (DataType.isUtf8View(part.type)) return [fromViews(part, new Utf8())];
  if (DataType.isBinaryView(part.type)) return [fromViews(part, new Binary())];
  return [part];
}

/** A slice of the dictionary for each row: values that JavaScript cannot hold keep their bits. */
function lookUp(part: Data, type: Dictionary): Data[] {
  const none = vectorFromArray([null], plainType(type)).data[0] as Data;
  return Array.from({ length: part.length }, (_, row) => {
    if (!part.getValid(row)) return none;
    const index = Number(part.values[row]);
    return part.dictionary?.slice(index, index + 1).data[0] ?? none;
  });
}

function fromViews(part: Data, type: Utf8 | Binary): Data {
  const views = new Vector([part.clone(new BinaryView())]);
  const bytes = Array.from(views, (value) => (value ?? new Uint8Array()) as Uint8Array);
  const valueOffsets = new Int32Array(part.length + 1);
  bytes.forEach((value, row) => {
    valueOffsets[row + 1] = (valueOffsets[row] ?? 0) + value.length;
  });
  // The offset moves the null bits only: the slices of everything else start at zero.
  const { length, offset, nullCount, nullBitmap } = part;
  const data = Buffer.concat(bytes);
  return makeData({ type, length, offset, nullCount, nullBitmap, valueOffsets, data } as Parameters<typeof makeData>[0]) as Data;
}
