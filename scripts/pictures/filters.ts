import type { Model, Node } from '../../src/network.ts';
import { named } from '../../src/network.ts';
import { size, type Tensor } from '../../src/tensor.ts';
import { enlarge, gridOf, range, scaleOf } from '../drawMaps.ts';
import { colourOf, diverging, scaleBar } from './colours.ts';
import { short } from './layer.ts';
import { paste, shifted, titled, together, type Page, type Text } from './drawPage.ts';

const GAP = 4;

/** The name of a layer's weights that can be drawn: kernels, or a weight for each pixel of the model's input; else undefined. */
export function drawable(model: Model, node: Node): string | undefined {
  const { w } = node.parameters ?? {};
  const images = node.layer === 'linear' && w?.[1] === size(model.input);
  return w?.length === 4 || images ? named(node).find(([argument]) => argument === 'w')![1] : undefined;
}

/**
 * The filters of a layer, enlarged, all on one scale: from blue, below 0, over white to red.
 *
 *     w (O, C, KH, KW)    of one channel a grid; of more a column for each kernel and a row for each channel
 *     w (O, D)            a grid of images of the model's input, for each unit the weights of its pixels
 */
export async function filtersPage(title: string, model: Model, name: string, w: Tensor): Promise<Page> {
  const colours = await diverging();
  const kernels = w.shape.length === 4;
  const [O, C, H, W] = kernels ? w.shape : [w.shape[0], ...model.input];
  const most = Math.max(...range(w.data).map(Math.abs));
  const colour = colourOf(colours, -most, most);
  const [rows, columns] = C === 1 ? gridOf(O) : [C, O];
  const scale = Math.min(32, scaleOf([H, W], [rows, columns], GAP));
  const placeOf = (o: number, c: number) => (C === 1 ? [Math.floor(o / columns), o % columns] : [c, o]);
  const [down, across] = [H * scale + GAP, W * scale + GAP];
  const placed = Array.from({ length: O * C }, (_, i) => {
    const [row, column] = placeOf(Math.floor(i / C), i % C);
    const picture = enlarge(w.data.subarray(i * H * W, (i + 1) * H * W), [H, W], scale, colour);
    return { picture, top: GAP + row * down, left: GAP + column * across };
  });
  const [height, width] = [rows * down + GAP, columns * across + GAP];
  const lines = enlarge([0], [1, 1], 1, () => [150, 150, 150]); // between filters, since 0 is white
  const gray = { ...lines, height, width, pixels: new Uint8Array(height * width * 3).fill(150) };
  const picture = paste(height, width, [{ picture: gray, top: 0, left: 0 }, ...placed]);
  const labels: Text[] =
    C === 1
      ? []
      : [
          { text: `kernel 0 … ${O - 1}, a column each`, x: 24, y: 0, size: 13 },
          { text: `channel 0 … ${C - 1}`, x: 12, y: 8 + height, size: 13, upright: true },
        ];
  const grid: Page = { height, width, pictures: [{ picture, top: 0, left: 0 }], texts: [] };
  const body = C === 1 ? grid : together(shifted(grid, 8, 24), { height: 0, width: 0, pictures: [], texts: labels });
  const bar = scaleBar(colours, [`−${short(most)}`, '0', `+${short(most)}`], 240);
  const what = kernels
    ? `${name}: ${O} ${O === 1 ? 'kernel' : 'kernels'}${C === 1 ? '' : ` × ${C} channels`} of ${H}×${W}, all on one scale`
    : `${name}: what each of ${O} units multiplies the ${H}×${W} pixels with${C === 1 ? '' : `, of ${C} channels`}, all on one scale`;
  return titled(title, [what], together(body, shifted(bar, body.height + 16, C === 1 ? 0 : 24)));
}
