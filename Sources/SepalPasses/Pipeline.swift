/// All passes in the order in which they run.
///
/// Each stage repeats until nothing in it changes the graph, then the next one starts; the whole list repeats until
/// nothing changes at all. A stage may thus rely on what the stages before it guarantee.
enum Pipeline {
  static let stages: [[any Pass.Type]] = [
    // One spelling for everything: what later stages match is what is left here.
    [
      EliminateDeadCode.self,
      EliminateIdentities.self,
      FoldConstants.self,
      CanonicalizeArithmetic.self,
      CanonicalizeGemm.self,
      ConvertMatMulToGemm.self,
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
    // One layout, with transposes at the borders only.
    [
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
    // Linear operators go into the weights next to them.
    [
      FoldPadIntoConv.self,
      FoldPadIntoPool.self,
      FoldBatchNormIntoConv.self,
      FoldBatchNormIntoConvTranspose.self,
      FoldBatchNormIntoGemm.self,
      FoldScaleIntoConv.self,
      FoldBatchNormBeforeConv.self,
      LowerBatchNorm.self,
    ],
    // What is left becomes the last step of the operator before it.
    [
      FuseScaleShift.self,
      FuseResidualAdd.self,
      FuseActivation.self,
    ],
  ]

  static var passes: [any Pass.Type] { stages.flatMap { $0 } }
}
