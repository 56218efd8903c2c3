const FIRST =
  'able amber ample agile apt arctic astral autumn balmy basic bold brave brief bright brisk calm candid casual civil clean clear clever coral cosmic cozy crisp curly daily dapper daring deep direct dual dusty eager early earnest easy elder epic equal exact fair fancy fast fine firm fleet fluid fond frank free fresh frosty frozen full gentle giant glad global golden grand green happy hardy hasty hazel hidden honest humble icy ideal indigo inner ivory jade jolly jumpy just keen kind known large late lean light lively local lofty loyal lucid lucky lunar magic major mellow merry mighty mild misty modest narrow neat nimble noble novel olive open outer pale patient plain polar polite prime proud quick quiet rapid rare ready regal rising'.split(
    ' ',
  );
const SECOND =
  'acorn alder anchor apple arch arrow aspen atlas badger bamboo banyan basin bay beacon bear beaver birch bison bloom boat bridge brook canal canyon cedar cliff cloud clover comet compass coral cove crane creek crow current dale dawn deer delta desert dove drift dune eagle echo elm ember falcon fern field finch fjord flint forest fox garden geyser glacier glade grove gull harbor hare hawk hazel heath heron hill hollow ibis inlet island ivy jay juniper kelp kestrel lagoon lake lantern larch lark leaf ledge lichen lilac linden lotus lynx maple marsh meadow mesa mill moss oak ocean orchid osprey otter owl palm pebble pine plateau pond poplar prairie puffin quail quartz rapids raven reef ridge river robin'.split(
    ' ',
  );

/** Two words that people can say instead of a digest, `frozen-heron`; the same for the same digest, not unique. */
export function releaseAlias(digest: string): string {
  const pick = (words: readonly string[], at: number): string =>
    words[Number.parseInt(digest.slice(at, at + 8), 16) % words.length] as string;
  return `${pick(FIRST, 0)}-${pick(SECOND, 8)}`;
}
