/// All passes in the order in which they run.
///
/// Each stage repeats until nothing in it changes the graph, then the next one starts; the whole list repeats until
/// nothing changes at all. A stage may thus rely on what the stages before it guarantee.
package enum Pipeline {
  package static let stages: [[any Pass.Type]] = [
    // One spelling for everything: what later stages match is what is left here.
    [
      EliminateDeadCode.self,
      EliminateIdentities.self,
      FoldConstants.self,
      CanonicalizeArithmetic.self,
      CanonicalizeGemm.self,
      ConvertMatMulToGemm.self,
      ConvertMatMulToConv.self,
      CanonicalizeGlobalPooling.self,
      RecognizeClip.self,
      RecognizeHardSigmoid.self,
      RecognizeHardSwish.self,
      RecognizeSilu.self,
      RecognizeGelu.self,
      RecognizeSqueezeExcite.self,
      RecognizeSplit.self,
      EliminateCommonSubexpressions.self,
    ],
    // Padding and linear operators go into the weights next to them; one layout, with transposes at the borders only.
    // Together, because transposes stand between what could be folded, and folding leaves fewer nodes to turn.
    [
      FoldPadIntoConv.self,
      FoldPadIntoPool.self,
      FoldBatchNormIntoConv.self,
      FoldBatchNormIntoConvTranspose.self,
      FoldBatchNormIntoGemm.self,
      FoldScaleIntoConv.self,
      FoldBatchNormBeforeConv.self,
      ChannelsLast.self,
      MergeTransposes.self,
      ReplaceTransposeByReshape.self,
      SinkTransposes.self,
      LiftTransposes.self,
      FoldTransposeIntoGemm.self,
      FoldChannelShuffleIntoConv.self,
      SinkReshapes.self,
      MergeReshapes.self,
      FoldReshapeIntoGlobalPool.self,
    ],
    // What is left becomes the last step of the operator before it.
    [
      LowerBatchNorm.self,
      FuseScaleShift.self,
      FuseResidualAdd.self,
      FuseActivation.self,
      FoldHardSigmoidOffset.self,
      EliminateZeroBias.self,
    ],
    separation,
  ]

  /// What weights need not say, or say in more words than they need. Left out where separation is off.
  package static let separation: [any Pass.Type] = [
    TrimKernelBorder.self,
    DropUselessChannels.self,
    SplitHiddenGroups.self,
  ]

  /// What brings an optimised graph back to channels first, for formats that know nothing else.
  static let exportStages: [[any Pass.Type]] = [
    [
      EliminateIdentities.self,
      FoldConstants.self,
      ChannelsFirst.self,
      MergeTransposes.self,
      ReplaceTransposeByReshape.self,
      SinkTransposes.self,
      LiftTransposes.self,
      FoldTransposeIntoGemm.self,
      MergeReshapes.self,
      EliminateCommonSubexpressions.self,
      EliminateDeadCode.self,
    ]
  ]

  static var passes: [any Pass.Type] { stages.flatMap { $0 } }
}
