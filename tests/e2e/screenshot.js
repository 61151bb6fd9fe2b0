/** A drawn person in front of a gradient, moving a little, as a video track. */

(letter, hue, skin) => {
  const [width, height] = [960, 540];
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d");
  const colour = (offset, saturation, lightness) => `hsl(${hue + offset}deg ${saturation}% ${lightness}%)`;
  const circle = (x, y, radius, fill) => {
    context.fillStyle = fill;
    context.beginPath();
    context.arc(x, y, radius, 0, 7);
    context.fill();
  };
  let count = 0;
  const draw = () => {
    const sway = Math.sin(count++ / 15) * 6;
    const wall = context.createLinearGradient(0, 0, width, height);
    wall.addColorStop(0, colour(0, 45, 46));
    wall.addColorStop(0.6, colour(28, 50, 28));
    wall.addColorStop(1, colour(60, 45, 16));
    context.fillStyle = wall;
    context.fillRect(0, 0, width, height);
    const lamp = context.createRadialGradient(190, 110, 10, 190, 110, 300);
    lamp.addColorStop(0, "rgba(255, 240, 210, 0.55)");
    lamp.addColorStop(1, "rgba(255, 240, 210, 0)");
    context.fillStyle = lamp;
    context.fillRect(0, 0, width, height);
    const shirt = context.createLinearGradient(300, 300, 660, 540);
    shirt.addColorStop(0, colour(180, 42, 62));
    shirt.addColorStop(1, colour(205, 46, 38));
    context.fillStyle = shirt;
    context.beginPath();
    context.ellipse(480 + sway, 590, 265, 235, 0, 0, 7);
    context.fill();
    circle(480 + sway * 1.6, 240, 104, "hsl(20deg 20% 15%)");
    circle(480 + sway * 1.6, 262, 88, `hsl(26deg 45% ${skin}%)`);
    context.fillStyle = "rgba(255, 255, 255, 0.92)";
    context.font = "700 92px 'DejaVu Sans', sans-serif";
    context.textAlign = "center";
    context.fillText(letter, 480 + sway, 500);
  };
  draw();
  setInterval(draw, 100);
  const [track] = canvas.captureStream(10).getVideoTracks();
  // Sharp rather than fluent, however little the machine has to spare.
  track.contentHint = "detail";
  return track;
}
