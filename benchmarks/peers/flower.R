# One hidden layer of tanh, one sigmoid, full-batch gradient descent, as the tutorials write it: samples in columns.
#
#     Rscript flower.R FOLDER EPOCHS RATE        prints the seconds of the loop; writes FOLDER/W1.out.csv, ...

asked <- commandArgs(trailingOnly = TRUE)
read <- function(name) as.matrix(read.csv(file.path(asked[1], paste0(name, ".csv")), header = FALSE))
keep <- function(value, name) {
  write.table(format(value, digits = 17), file.path(asked[1], paste0(name, ".out.csv")), sep = ",",
              row.names = FALSE, col.names = FALSE, quote = FALSE)
}
epochs <- as.integer(asked[2])
rate <- as.numeric(asked[3])
X <- t(unname(read("X")))
Y <- t(unname(read("Y")))
W1 <- t(unname(read("W1")))
b1 <- unname(read("b1"))
W2 <- t(unname(read("W2")))
b2 <- unname(read("b2"))
m <- ncol(X)

began <- proc.time()[["elapsed"]]
for (epoch in seq_len(epochs)) {
  Z1 <- W1 %*% X + matrix(b1, nrow = length(b1), ncol = m)
  A1 <- tanh(Z1)
  Z2 <- W2 %*% A1 + matrix(b2, nrow = length(b2), ncol = m)
  A2 <- 1 / (1 + exp(-Z2))
  dZ2 <- A2 - Y
  dW2 <- dZ2 %*% t(A1) / m
  db2 <- rowSums(dZ2) / m
  dZ1 <- (t(W2) %*% dZ2) * (1 - A1^2)
  dW1 <- dZ1 %*% t(X) / m
  db1 <- rowSums(dZ1) / m
  W1 <- W1 - rate * dW1
  b1 <- b1 - rate * db1
  W2 <- W2 - rate * dW2
  b2 <- b2 - rate * db2
}
took <- proc.time()[["elapsed"]] - began

keep(t(W1), "W1")
keep(t(W2), "W2")
keep(as.vector(b1), "b1")
keep(as.vector(b2), "b2")
cat(took, "\n")
