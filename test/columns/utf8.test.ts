// Text columns made at once are those that apache-arrow makes one by one.
import { makeVector, type Utf8, Utf8 as Utf8Type, vectorFromArray } from 'apache-arrow';
import { expect, it } from 'vitest';
import { utf8Column } from '#src/columns/utf8.js';
import { fc } from '../properties.js';

it('holds the strings, whatever is in them', () => {
  const anything = fc.string({ unit: fc.oneof(fc.constantFrom('\ud83d', '\ude00', 'é', '漢', '\0'), fc.string({ maxLength: 1 })) });
  fc.assert(
    fc.property(fc.array(anything), (values) => {
      const column = utf8Column(values);
      const expected = vectorFromArray(
        values.map((value) => value.toWellFormed()),
        new Utf8Type(),
      ).data[0];
      expect([...makeVector<Utf8>(column)]).toEqual(values.map((value) => value.toWellFormed()));
      if (values.length > 0) expect([...column.valueOffsets]).toEqual([...(expected?.valueOffsets.subarray(0, values.length + 1) ?? [])]);
    }),
  );
});
