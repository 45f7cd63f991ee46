"""Files of ruotianluo's ImageCaptioning.pytorch and of AoANet, which grew out of it."""
