# The loop of seed 003's tutorial over the pixels of a picture; its missing kernel_size is the size of the filter.
#
#     Rscript filter.R FOLDER        prints the seconds of the loops; writes FOLDER/maps.bin, map by map, row by row

asked <- commandArgs(trailingOnly = TRUE)
read <- function(name) unname(as.matrix(read.csv(file.path(asked[1], paste0(name, ".csv")), header = FALSE)))

convolution <- function(input_img, filter) {
  kernel_size <- dim(filter)
  outer(
    1:(nrow(input_img) - kernel_size[[1]] + 1),
    1:(ncol(input_img) - kernel_size[[2]] + 1),
    Vectorize(function(r, c) sum(input_img[r:(r + kernel_size[[1]] - 1), c:(c + kernel_size[[2]] - 1)] * filter))
  )
}

image <- read("image")
rows <- read("kernels")
side <- sqrt(ncol(rows))
kernels <- lapply(seq_len(nrow(rows)), function(i) matrix(rows[i, ], nrow = side, byrow = TRUE))

began <- proc.time()[["elapsed"]]
maps <- lapply(kernels, function(kernel) convolution(image, kernel))
took <- proc.time()[["elapsed"]] - began

out <- file(file.path(asked[1], "maps.bin"), "wb")
for (map in maps) writeBin(as.vector(t(map)), out)
close(out)
cat(took, "\n")
