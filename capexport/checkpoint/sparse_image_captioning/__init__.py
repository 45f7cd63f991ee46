"""Reader of checkpoints that github.com/jiahuei/sparse-image-captioning trains and publishes."""
