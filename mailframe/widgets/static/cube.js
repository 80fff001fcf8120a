// Charts that follow one another without a kernel. A cube holds, for every chart, its counts, and for every
// two charts their counts crossed; what is chosen in one is summed up for all others. Choosing elsewhere
// starts anew. All sums are exact, and small: a few thousand numbers whatever the mailbox.
