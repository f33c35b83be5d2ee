// Colours of a scene: read from the style sheet, mixed, and kept visible on the paper they stand on.

export function parse(text) {
  const hex = text.trim().replace("#", "");
  const whole = hex.length === 3 ? [...hex].map((c) => c + c).join("") : hex;
  return [0, 2, 4].map((i) => parseInt(whole.slice(i, i + 2), 16));
}

export const css = (rgb) => `rgb(${rgb.map((c) => Math.round(c)).join(" ")})`;

// From one colour (share 0) to another (share 1).
export function mix(a, b, share) {
  return a.map((c, i) => c + (b[i] - c) * share);
}

// Relative luminance, W3C's Web Content Accessibility Guidelines 2.1.
export function luminance(rgb) {
  const [r, g, b] = rgb.map((c) => {
    const s = c / 255;
    return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

export function contrast(a, b) {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

// The colour, moved towards the ink until it stands out from the paper.
export function visible(colour, paper, ink, least = 2.6) {
  let found = colour;
  for (let share = 0.1; share <= 1 && contrast(found, paper) < least; share += 0.1) found = mix(colour, ink, share);
  return found;
}

// Below zero cold, at zero paper, above zero warm; the share is from −1 to 1.
export function diverging(share, palette) {
  const held = Math.max(-1, Math.min(1, share));
  return mix(palette.paper, held < 0 ? palette.cold : palette.warm, Math.abs(held));
}

// The style sheet's colours as they are now.
export function paletteOf(element) {
  const style = getComputedStyle(element);
  const read = (name) => parse(style.getPropertyValue(`--scene-${name}`));
  return { ink: read("ink"), paper: read("paper"), line: read("line"), quiet: read("quiet"), cold: read("cold"), warm: read("warm") };
}
